-- Everything but what extensions brought. It is part of the restore's transaction: a role that may not drop something changes nothing.
set local client_min_messages = warning;
do $clear$
declare
  one text;
begin
  for one in
    select format('drop schema %I cascade', nspname) from pg_namespace o
      where nspname !~ '^pg_' and nspname not in ('information_schema', 'public')
        and not exists (select from pg_depend e where e.objid = o.oid and e.deptype = 'e')
  loop
    execute one;
  end loop;
  for one in
    select format('drop %s if exists public.%I cascade',
        case relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' when 'f' then 'foreign table' else 'table' end, relname)
      from pg_class o where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S', 'f')
        and not exists (select from pg_depend e where e.objid = o.oid and e.deptype in ('e', 'i'))
    union all
    select format('drop routine if exists %s cascade', o.oid::regprocedure) from pg_proc o
      where pronamespace = 'public'::regnamespace and not exists (select from pg_depend e where e.objid = o.oid and e.deptype = 'e')
    union all
    select format('drop type if exists public.%I cascade', typname) from pg_type o
      where typnamespace = 'public'::regnamespace and typtype in ('e', 'd', 'r')
        and not exists (select from pg_depend e where e.objid = o.oid and e.deptype in ('e', 'i'))
  loop
    execute one;
  end loop;
end
$clear$;
