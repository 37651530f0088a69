-- What the services expect to find. No user is made here: a password in a file is no secret.
insert into core.settings (key, value, description) values
  ('schema.version', '1', 'Version of the schemas; migrations raise it'),
  ('agents.max_attempts', '3', 'How often a task is tried before it counts as failed'),
  ('agents.heartbeat_seconds', '30', 'An agent that is silent for three of these counts as failed'),
  ('memory.forget_every_seconds', '300', 'How often memory.forget() is called');

insert into agents.kinds (name, description, capabilities, max_concurrent_tasks) values
  ('coordinator', 'Divides work and gives it to other agents', '{plan,delegate,review}', 10),
  ('researcher', 'Collects what is known', '{search,summarise}', 4),
  ('coder', 'Writes and changes programs', '{write,refactor,explain}', 2),
  ('tester', 'Finds out whether something works', '{test,report}', 4),
  ('reviewer', 'Judges the work of other agents', '{review,report}', 4);

insert into memory.namespaces (name, description, retention) values
  ('default', 'What belongs nowhere else', interval '30 days'),
  ('sessions', 'What was said in a conversation', interval '1 day'),
  ('knowledge', 'What is meant to be kept', null);
