create table core.users (
  id uuid primary key default gen_random_uuid(),
  email text not null check (email = lower(email) and email like '%_@_%'),
  display_name text not null check (length(display_name) between 1 and 200),
  -- A hash with its own salt and parameters, such as argon2id's; nothing for users of a single sign-on.
  password_hash text check (password_hash like '$%'),
  role text not null default 'member' check (role in ('admin', 'operator', 'member', 'service')),
  active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (email)
);

create table core.sessions (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references core.users on delete cascade,
  -- SHA-256 of the token: a copy of this table opens no session.
  token_digest bytea not null unique check (octet_length(token_digest) = 32),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  check (expires_at > created_at)
);
create index sessions_of_user on core.sessions (user_id);
create index sessions_by_expiry on core.sessions (expires_at);

create table core.settings (
  key text primary key check (key ~ '^[a-z][a-z0-9_.]{0,127}$'),
  value jsonb not null,
  description text not null,
  updated_at timestamptz not null default now()
);

create table core.audit_log (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  actor uuid references core.users on delete set null,
  action text not null check (length(action) between 1 and 100),
  subject text not null,
  detail jsonb not null default '{}'
);
create index audit_log_by_time on core.audit_log using brin (at);
create index audit_log_of_actor on core.audit_log (actor, at desc);
create index audit_log_of_subject on core.audit_log (subject, at desc);

-- The trail is only ever written on. An actor that is deleted leaves its lines behind, so that one column may be emptied.
create function core.refuse_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and new.actor is null
     and (new.id, new.at, new.action, new.subject, new.detail) = (old.id, old.at, old.action, old.subject, old.detail) then
    return new;
  end if;
  raise exception 'core.audit_log is only ever written on' using errcode = 'integrity_constraint_violation';
end;
$$;

create trigger users_touch before update on core.users for each row execute function core.touch();
create trigger settings_touch before update on core.settings for each row execute function core.touch();
create trigger audit_log_keep before update or delete on core.audit_log for each row execute function core.refuse_change();
create trigger audit_log_whole before truncate on core.audit_log for each statement execute function core.refuse_change();
