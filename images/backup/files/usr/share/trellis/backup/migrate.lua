-- Copies every key of this server to another one, with its type and its time to live: HOST PORT PASSWORD.
local host, port, password = ARGV[1], ARGV[2], ARGV[3]
local moved = 0
for db = 0, 15 do
  redis.call('SELECT', db)
  local cursor = '0'
  repeat
    local page = redis.call('SCAN', cursor, 'COUNT', 500)
    cursor = page[1]
    if #page[2] > 0 then
      redis.call('MIGRATE', host, port, '', db, 60000, 'COPY', 'REPLACE', 'AUTH2', 'backup', password, 'KEYS', unpack(page[2]))
      moved = moved + #page[2]
    end
  until cursor == '0'
end
return moved
