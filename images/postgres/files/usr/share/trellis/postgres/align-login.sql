-- Variables: role, login. The password comes from the environment: it is in no argument and no log line.
\set VERBOSITY terse
\getenv password TRELLIS_ROLE_PASSWORD
set client_min_messages = warning;
select not exists (select from pg_roles where rolname = :'login') as missing, :'login' <> :'role' as other \gset
\if :missing
  create role :"login";
\endif
\if :other
  grant :"role" to :"login";
  -- Whatever it makes belongs to the owner, whose rights it has and no others.
  alter role :"login" set role to :'role';
\endif
alter role :"login" with login password :'password';
