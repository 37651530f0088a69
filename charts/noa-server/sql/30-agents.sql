create table agents.kinds (
  name text primary key check (name ~ '^[a-z][a-z0-9-]{0,62}$'),
  description text not null,
  capabilities text[] not null check (cardinality(capabilities) > 0),
  max_concurrent_tasks integer not null default 1 check (max_concurrent_tasks between 1 and 100)
);

create table agents.agents (
  id uuid primary key default gen_random_uuid(),
  kind text not null references agents.kinds,
  name text not null unique check (name ~ '^[a-z][a-z0-9-]{0,62}$'),
  status text not null default 'idle' check (status in ('idle', 'busy', 'paused', 'failed', 'retired')),
  owner uuid references core.users on delete set null,
  configuration jsonb not null default '{}' check (jsonb_typeof(configuration) = 'object'),
  last_seen_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index agents_by_kind on agents.agents (kind, status);
create index agents_by_heartbeat on agents.agents (last_seen_at) where status in ('idle', 'busy');

create table agents.tasks (
  id uuid primary key default gen_random_uuid(),
  parent uuid references agents.tasks on delete cascade,
  kind text not null references agents.kinds,
  agent uuid references agents.agents on delete set null,
  status text not null default 'queued' check (status in ('queued', 'running', 'done', 'failed', 'cancelled')),
  priority smallint not null default 0 check (priority between -100 and 100),
  attempts smallint not null default 0 check (attempts >= 0),
  input jsonb not null,
  output jsonb,
  error text,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  updated_at timestamptz not null default now(),
  check ((status in ('done', 'failed', 'cancelled')) = (finished_at is not null)),
  check (status <> 'running' or (agent is not null and started_at is not null))
);
-- What a free agent takes next: select … for update skip locked, in this order.
create index tasks_waiting on agents.tasks (kind, priority desc, created_at) where status = 'queued';
create index tasks_of_agent on agents.tasks (agent) where status = 'running';
create index tasks_of_parent on agents.tasks (parent) where parent is not null;

create table agents.events (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  agent uuid references agents.agents on delete cascade,
  task uuid references agents.tasks on delete cascade,
  kind text not null check (kind ~ '^[a-z][a-z0-9_.]{0,62}$'),
  detail jsonb not null default '{}',
  check (agent is not null or task is not null)
);
create index events_of_agent on agents.events (agent, at desc);
create index events_of_task on agents.events (task, at desc);

-- Times of a task follow from its status, so that no service can forget one.
create function agents.stamp_task() returns trigger language plpgsql as $$
begin
  if new.status = 'running' and old.status <> 'running' then
    new.started_at := now();
    new.attempts := old.attempts + 1;
  end if;
  if new.status in ('done', 'failed', 'cancelled') then
    new.finished_at := coalesce(old.finished_at, now());
  else
    new.finished_at := null;
  end if;
  return new;
end;
$$;

-- A change of status is an event, and whoever listens on agent_tasks hears of it.
create function agents.report_task() returns trigger language plpgsql as $$
begin
  insert into agents.events (agent, task, kind, detail)
  values (new.agent, new.id, 'task.' || new.status, jsonb_build_object('attempts', new.attempts));
  perform pg_notify('agent_tasks', json_build_object('task', new.id, 'kind', new.kind, 'status', new.status)::text);
  return null;
end;
$$;

create trigger agents_touch before update on agents.agents for each row execute function core.touch();
create trigger tasks_stamp before update of status on agents.tasks for each row execute function agents.stamp_task();
create trigger tasks_touch before update on agents.tasks for each row execute function core.touch();
create trigger tasks_queued after insert on agents.tasks for each row execute function agents.report_task();
create trigger tasks_changed after update on agents.tasks
  for each row when (old.status is distinct from new.status) execute function agents.report_task();
