-- Variable: role. The password comes from the environment: it is in no argument and no log line.
\set VERBOSITY terse
\getenv password TRELLIS_ROLE_PASSWORD
alter role :"role" with login password :'password';
