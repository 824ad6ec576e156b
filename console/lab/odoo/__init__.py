"""A tenant of the laboratory: processes that keep and serve an Odoo database of 16.0, 17.0 or 18.0.

``schema`` makes the database, ``server`` is the parent process that forks web, cron and queue workers. Everything a
request gets, and everything a table holds, is caused by one of them. What it is not: an ORM, a view engine, a mail
gateway or an object store. Models are tables read and written by a short list of methods.
"""
