create table memory.namespaces (
  name text primary key check (name ~ '^[a-z][a-z0-9-]{0,62}$'),
  description text not null,
  -- How long an entry lives after it was last written; nothing for ever.
  retention interval check (retention > interval '0')
);

create table memory.entries (
  id uuid primary key default gen_random_uuid(),
  namespace text not null references memory.namespaces on update cascade,
  key text not null check (length(key) between 1 and 500),
  agent uuid references agents.agents on delete set null,
  content text not null,
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  importance real not null default 0.5 check (importance between 0 and 1),
  -- Whoever makes it decides on its length; all of one namespace must have the same to be compared.
  embedding real[],
  search tsvector generated always as (to_tsvector('simple', content)) stored,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  expires_at timestamptz,
  unique (namespace, key)
);
create index entries_by_text on memory.entries using gin (search);
create index entries_by_metadata on memory.entries using gin (metadata jsonb_path_ops);
create index entries_by_importance on memory.entries (namespace, importance desc, updated_at desc);
create index entries_of_agent on memory.entries (agent) where agent is not null;
create index entries_by_expiry on memory.entries (expires_at) where expires_at is not null;

create table memory.links (
  source uuid not null references memory.entries on delete cascade,
  target uuid not null references memory.entries on delete cascade,
  relation text not null check (relation ~ '^[a-z][a-z0-9_]{0,62}$'),
  weight real not null default 1 check (weight between 0 and 1),
  primary key (source, relation, target),
  check (source <> target)
);
create index links_to on memory.links (target, relation);

-- An entry that says nothing of its end lives as long as its namespace has it.
create function memory.expire() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' and new.expires_at is not null then
    return new;
  end if;
  if tg_op = 'UPDATE' and new.expires_at is distinct from old.expires_at then
    return new;
  end if;
  select now() + retention into new.expires_at from memory.namespaces where name = new.namespace;
  return new;
end;
$$;

-- Deletes what is over, a part at a time so that no lock is held for long. Returns how much that was.
create function memory.forget(most integer default 1000) returns integer language sql as $$
  with over as (
    select id from memory.entries where expires_at <= now() order by expires_at limit most for update skip locked
  ), gone as (
    delete from memory.entries using over where entries.id = over.id returning 1
  )
  select count(*)::integer from gone;
$$;

create trigger entries_touch before update on memory.entries for each row execute function core.touch();
create trigger entries_expire before insert or update on memory.entries for each row execute function memory.expire();
