-- Runs once, when the data folder is made, as the owner of the database.
create schema core;
create schema agents;
create schema memory;

comment on schema core is 'Users, sessions, settings and the trail of what was done';
comment on schema agents is 'Agents, the tasks given to them and what they say of themselves';
comment on schema memory is 'What agents remember, within the time that a namespace allows';

-- Sets updated_at, whatever the statement says of it.
create function core.touch() returns trigger language plpgsql as $$
begin
  new.updated_at := now();
  return new;
end;
$$;
