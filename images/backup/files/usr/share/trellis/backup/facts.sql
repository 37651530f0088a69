-- What a restored database has to have, one line each and in any order: definitions, and the rows of every table.
-- Names are written out with their schema, whatever the search path of the role is. Extensions are their own makers' matter.
set search_path = pg_catalog;
\set mine '(n.nspname !~ ''^pg_'' and n.nspname <> ''information_schema'')'
\set made 'not exists (select from pg_depend e where e.objid = o.oid and e.deptype = ''e'')'

select format('column %I.%I %s %I %s%s default %s', n.nspname, o.relname,
    row_number() over (partition by o.oid order by a.attnum), a.attname, format_type(a.atttypid, a.atttypmod),
    case when a.attnotnull then ' not null' else '' end || a.attidentity::text || a.attgenerated::text, coalesce(pg_get_expr(d.adbin, d.adrelid), '-')) as line
  from pg_class o join pg_namespace n on n.oid = o.relnamespace
  join pg_attribute a on a.attrelid = o.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = o.oid and d.adnum = a.attnum
  where o.relkind in ('r', 'p', 'v', 'm', 'f') and :mine and :made;
select format('constraint %I.%I %I %s', n.nspname, o.relname, c.conname, pg_get_constraintdef(c.oid))
  from pg_constraint c join pg_class o on o.oid = c.conrelid join pg_namespace n on n.oid = o.relnamespace
  where :mine and :made;
select 'index ' || pg_get_indexdef(i.indexrelid) from pg_index i
  join pg_class o on o.oid = i.indrelid join pg_namespace n on n.oid = o.relnamespace
  where o.relkind in ('r', 'p', 'm') and :mine and :made;
select format('view %I.%I %s', n.nspname, o.relname, md5(pg_get_viewdef(o.oid))) from pg_class o
  join pg_namespace n on n.oid = o.relnamespace where o.relkind in ('v', 'm') and :mine and :made;
select format('function %I.%I(%s) %s', n.nspname, o.proname, pg_get_function_identity_arguments(o.oid), md5(o.prosrc))
  from pg_proc o join pg_namespace n on n.oid = o.pronamespace where :mine and :made;
select format('trigger %I.%I %s', n.nspname, o.relname, pg_get_triggerdef(t.oid)) from pg_trigger t
  join pg_class o on o.oid = t.tgrelid join pg_namespace n on n.oid = o.relnamespace
  where not t.tgisinternal and :mine and :made;
select format('policy %I.%I %I %s', n.nspname, o.relname, p.polname,
    md5(concat_ws('|', p.polcmd, p.polpermissive, pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))))
  from pg_policy p join pg_class o on o.oid = p.polrelid join pg_namespace n on n.oid = o.relnamespace
  where :mine and :made;
select format('enum %I.%I %s', n.nspname, o.typname, string_agg(quote_literal(e.enumlabel), ',' order by e.enumsortorder))
  from pg_enum e join pg_type o on o.oid = e.enumtypid join pg_namespace n on n.oid = o.typnamespace
  where :mine and :made group by n.nspname, o.typname;
select format('sequence %I.%I', n.nspname, o.relname) from pg_class o join pg_namespace n on n.oid = o.relnamespace
  where o.relkind = 'S' and :mine and :made;
-- Rows: a statement for each table, which psql then runs.
select format('select format(%L, count(*)) from %I.%I', format('rows %I.%I ', n.nspname, o.relname) || '%s', n.nspname, o.relname)
  from pg_class o join pg_namespace n on n.oid = o.relnamespace
  where (o.relkind = 'r' or (o.relkind = 'm' and o.relispopulated)) and :mine and :made
\gexec
