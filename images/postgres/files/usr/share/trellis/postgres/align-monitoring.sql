-- Reads statistics of everything and rows of nothing. The password comes from the environment.
\set VERBOSITY terse
\getenv password TRELLIS_ROLE_PASSWORD
select not exists (select from pg_roles where rolname = 'monitoring') as missing \gset
\if :missing
  create role monitoring;
\endif
alter role monitoring with login nosuperuser nocreatedb nocreaterole noreplication connection limit 3 password :'password';
grant pg_monitor to monitoring;
