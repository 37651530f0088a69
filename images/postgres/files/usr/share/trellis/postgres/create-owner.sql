-- Variables: role, db. A first start's role and database; the names "postgres" are there already.
select not exists (select from pg_roles where rolname = :'role') as role_missing,
       not exists (select from pg_database where datname = :'db') as db_missing \gset
\if :role_missing
  create role :"role" login;
\endif
\if :db_missing
  create database :"db" owner :"role";
\endif
