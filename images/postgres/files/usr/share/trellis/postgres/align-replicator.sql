-- The password comes from the environment: it is in no argument and no log line.
\set VERBOSITY terse
\getenv password TRELLIS_ROLE_PASSWORD
select not exists (select from pg_roles where rolname = 'replicator') as missing \gset
\if :missing
  create role replicator;
\endif
alter role replicator with login replication nosuperuser nocreatedb nocreaterole password :'password';
