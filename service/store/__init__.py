import logging

# set before anything imports it: it would list its plugins and its dialect at every opening
logging.getLogger("alembic").setLevel(logging.WARNING)
