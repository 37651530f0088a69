-- Variables: role, names (separated by blanks). Of the owner and those that act as it, all others can no longer log in. Prints their names.
-- In folders of the official image the owner is the superuser, whom nobody could let in again.
\set VERBOSITY terse
select string_agg(rolname, ' ') as retired,
       string_agg(format('alter role %I nologin password null', rolname), '; ') as commands
  from pg_roles
 where (rolname = :'role' or 'role=' || :'role' = any (rolconfig))
   and rolcanlogin and not rolsuper and rolname <> all (string_to_array(:'names', ' ')) \gset
\if :{?commands}
  :commands;
  \echo :retired
\endif
