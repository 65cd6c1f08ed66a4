#!lua name=seatlock_v1
--
-- What runs inside Redis. Each function is one step for all clients. Keys are those of keys.h; no
-- function knows what a seat is.
--
-- Redis takes nothing back of a function that fails half-way. So each function reads first what it
-- will write, with which wrong types show, and writes only if all of it is as it should be.
--
-- Answers: {kDamaged, what is wrong} if what is stored does not fit together, and else as each says.

local VERSION = 3

local kDone, kConflict, kDamaged, kNotInHistory = 0, 1, 2, 3
local GONE_MAX = 8

-- Of each prefix, whether a showtime was changed since its barrier raised the counter last. It lives
-- in Redis's memory alone: what is lost with it is one count.
local changed_since_barrier = {}

-- The prefix of a key: keys.h.
local function prefix_of(key) return string.match(key, '^{([^:]*):') or '' end

-- pcall, raised again as a table that Damaged() knows.
local function read(...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err then error({ damaged = answer.err }, 0) end
  return answer
end

local function damaged(what) error({ damaged = what }, 0) end

-- Calls `body`; what damaged() raised becomes the answer. The error of a write is told as HALFWAY:
-- nobody knows then what was done, whatever its own name means of a command that was refused whole.
local function guarded(body)
  return function(keys, args)
    local ok, answer = pcall(body, keys, args)
    if ok then return answer end
    if type(answer) == 'table' and answer.damaged then return { kDamaged, answer.damaged } end
    if type(answer) == 'table' then answer = answer.err end
    return redis.error_reply('HALFWAY ' .. tostring(answer))
  end
end

local function id_of(revision) return string.format('%.0f-0', revision) end
local function text_of(number) return string.format('%.0f', number) end

-- A showtime's head. Without records: revision 0.
local function head_of(key)
  local h = read('HMGET', key, 'epoch', 'rev', 'chain', 'oldest', 'base', 'ms')
  if not h[2] then
    return { epoch = '', rev = 0, chain = '', oldest = 1, base = '', ms = '0' }
  end
  local head = { epoch = h[1], rev = tonumber(h[2]), chain = h[3], oldest = tonumber(h[4]),
                 base = h[5], ms = h[6] }
  if not (head.epoch and head.rev and head.chain and head.oldest and head.base and head.ms) then
    damaged('the head is incomplete')
  end
  return head
end

-- The stream must end where the head says.
local function check_end(log, head)
  local last = read('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
  if last then
    if last[1] ~= id_of(head.rev) then damaged('the records do not end at the head') end
  elseif head.oldest <= head.rev then
    damaged('the records are gone')
  end
end

-- The first write of an append. Redis refuses an id below one that the stream had before, also if
-- that entry is gone: then nothing was done, and it is this showtime alone that is damaged.
local function add_first(log, revision, time, chain, bytes)
  local added = redis.pcall('XADD', log, id_of(revision), 't', time, 'c', chain, 'b', bytes)
  if type(added) ~= 'table' or not added.err then return end
  if string.find(added.err, 'equal or smaller', 1, true) then
    damaged('the records had gone on beyond the head')
  end
  error(added, 0)
end

local function entry_at(log, revision)
  local id = id_of(revision)
  return read('XRANGE', log, id, id)[1]
end

-- The field `name` of an entry.
local function field(entry, name)
  local fields = entry[2]
  for i = 1, #fields, 2 do
    if fields[i] == name then return fields[i + 1] end
  end
  return damaged('a record is incomplete')
end

-- The chain after `revision`, with its seal; nil if no record tells.
local function chain_at(log, head, revision)
  if revision == head.oldest - 1 then return head.base end
  local entry = entry_at(log, revision)
  return entry and field(entry, 'c')
end

-- Where (epoch, revision, chain) stands: 'in' the history, 'trimmed' from it, or 'out' of it.
local function place_of(log, head, epoch, revision, chain)
  if revision == 0 then return epoch == '' and 'in' or 'out' end
  if epoch ~= head.epoch or revision > head.rev then return 'out' end
  if revision < head.oldest - 1 then return 'trimmed' end
  local found = chain_at(log, head, revision)
  if not found then damaged('a record is missing') end
  return string.sub(found, 1, 32) == chain and 'in' or 'out'
end

-- Entries from revision `from` on, as one page holds: read a few at a time, for records may be large.
local function page_of(log, from, records_max, bytes_max)
  local page, bytes, step = {}, 0, 4
  while #page < records_max and bytes < bytes_max do
    local some = read('XRANGE', log, id_of(from), '+', 'COUNT', math.min(step, records_max - #page))
    if #some == 0 then break end
    for _, entry in ipairs(some) do
      if bytes >= bytes_max then break end
      page[#page + 1] = entry
      bytes = bytes + #field(entry, 'b')
      from = tonumber(string.match(entry[1], '^%d+')) + 1
    end
    local mean = bytes / #page + 1
    step = math.max(1, math.min(256, math.floor((bytes_max - bytes) / mean)))
  end
  return page
end

-- Says that a showtime has changed, and that it has this revision. The counter was read before.
local function note_change(changed, counter, channel, id, revision)
  changed_since_barrier[prefix_of(counter)] = true
  local count = redis.call('INCR', counter)
  redis.call('ZADD', changed, count, id)
  redis.pcall('PUBLISH', channel, revision .. ' ' .. id)  -- a lost hint does no harm
end

local function check_number(key)
  local value = read('GET', key)
  if value and not string.match(value, '^%d+$') then damaged('the counter is no number') end
end

local function conflict(log, head, place, from, records_max, bytes_max)
  local missed = {}
  if place == 'in' and from >= head.oldest then
    missed = page_of(log, from, records_max, bytes_max)
  end
  return { kConflict, head.epoch, text_of(head.rev), head.chain, place == 'out' and 1 or 0, missed }
end

local function is_gone(key, epoch)
  local gone = read('HGET', key, 'gone')
  return gone and string.find('\n' .. gone .. '\n', '\n' .. epoch .. '\n', 1, true) ~= nil
end

-- Appends records if the head is still the expected one; without records: only says whether it is.
-- KEYS head log wake changed counter ids. ARGS id, channel, expected epoch, revision and chain,
-- epoch of the records, wake time or '', records and bytes of a page, then of each record: commit
-- time, chain with its seal, bytes. Answers kDone, or {kConflict, epoch, revision, chain, whether the
-- expected head is not in the history, entries after the expected head}.
local function append(keys, args)
  local head_key, log, wake, changed, counter, ids = unpack(keys)
  local id, channel, epoch, revision, chain, new_epoch, wake_ms = unpack(args, 1, 7)
  local expected = tonumber(revision)
  local head = head_of(head_key)
  check_end(log, head)
  if head.rev ~= expected or head.epoch ~= epoch or head.chain ~= chain then
    local place = place_of(log, head, epoch, expected, chain)
    if head.rev == 0 then place = 'out' end
    return conflict(log, head, place, expected + 1, tonumber(args[8]), tonumber(args[9]))
  end
  if #args < 10 then return kDone end
  if head.rev == 0 and is_gone(head_key, new_epoch) then
    return { kConflict, '', '0', '', 1, {} }
  end
  local wake_was = read('ZSCORE', wake, id)
  read('ZSCORE', changed, id)
  check_number(counter)
  if expected == 0 then read('ZSCORE', ids, id) end

  expected = expected + 1
  add_first(log, expected, args[10], args[11], args[12])
  for i = 13, #args, 3 do
    expected = expected + 1
    redis.call('XADD', log, id_of(expected), 't', args[i], 'c', args[i + 1], 'b', args[i + 2])
  end
  local last_chain = string.sub(args[#args - 1], 1, 32)
  if head.rev == 0 then
    redis.call('HSET', head_key, 'epoch', new_epoch, 'rev', text_of(expected), 'chain', last_chain,
               'ms', args[#args - 2], 'oldest', '1', 'base', '')
    redis.call('ZADD', ids, 0, id)
  else
    redis.call('HSET', head_key, 'rev', text_of(expected), 'chain', last_chain,
               'ms', args[#args - 2])
  end
  if wake_ms ~= '' then
    redis.call('ZADD', wake, wake_ms, id)
  elseif wake_was then
    redis.call('ZREM', wake, id)
  end
  note_change(changed, counter, channel, id, text_of(expected))
  return kDone
end

-- Reads a page. KEYS head log. ARGS from, records and bytes of a page. Answers {kDone, epoch,
-- revision, chain, oldest, chain before `from` with its seal or '', entries}.
local function page(keys, args)
  local head = head_of(keys[1])
  local from = tonumber(args[1])
  local before, entries = '', {}
  if from >= head.oldest and from <= head.rev then
    before = chain_at(keys[2], head, from - 1) or ''
    entries = page_of(keys[2], from, tonumber(args[2]), tonumber(args[3]))
  end
  return { kDone, head.epoch, text_of(head.rev), head.chain, text_of(head.oldest), before, entries }
end

local function snapshots_of(key)
  local s = read('HMGET', key, 'a:rev', 'a:epoch', 'a:chain', 'b:rev', 'b:epoch', 'b:chain')
  local found = {}
  if s[1] then found[#found + 1] = { 'a', tonumber(s[1]), s[2], s[3] } end
  if s[4] then found[#found + 1] = { 'b', tonumber(s[4]), s[5], s[6] } end
  table.sort(found, function(left, right) return left[2] > right[2] end)
  return found
end

-- Reads the newest snapshot that is in the history, and the page after it. KEYS head log snap. ARGS
-- records and bytes of a page. Answers as page, from the snapshot on, and then the snapshot: {} or
-- {epoch, revision, chain, hash, bytes}.
local function load(keys, args)
  local head = head_of(keys[1])
  local snapshot, from = {}, 1
  for _, each in ipairs(snapshots_of(keys[3])) do
    local slot, revision, epoch, chain = unpack(each)
    -- One whose record is gone is given: the reader must notice.
    local inside = epoch == head.epoch and revision <= head.rev and revision >= head.oldest - 1
    local found = inside and chain_at(keys[2], head, revision)
    if inside and (not found or string.sub(found, 1, 32) == chain) then
      local more = read('HMGET', keys[3], slot .. ':hash', slot .. ':bytes')
      snapshot = { epoch, text_of(revision), chain, more[1] or '', more[2] or '' }
      from = revision + 1
      break
    end
  end
  local answer = page(keys, { text_of(from), args[1], args[2] })
  if from > head.rev then answer[6] = chain_at(keys[2], head, head.rev) or '' end
  answer[8] = snapshot
  return answer
end

-- Keeps a snapshot. KEYS head log snap. ARGS epoch, revision, chain, hash, bytes. Answers kDone, also
-- if there is a newer one, or kNotInHistory.
local function snapshot(keys, args)
  local head = head_of(keys[1])
  local epoch, revision, chain, hash, bytes = unpack(args)
  local number = tonumber(revision)
  if number == 0 or head.rev == 0 then return kNotInHistory end
  if place_of(keys[2], head, epoch, number, chain) ~= 'in' then return kNotInHistory end
  local found = snapshots_of(keys[3])
  if found[1] and found[1][3] == epoch and found[1][2] >= number then return kDone end
  local slot = found[1] and found[1][1] == 'a' and 'b' or 'a'
  redis.call('HSET', keys[3], slot .. ':rev', revision, slot .. ':epoch', epoch,
             slot .. ':chain', chain, slot .. ':hash', hash, slot .. ':bytes', bytes)
  return kDone
end

-- Forgets old records. KEYS head log snap. ARGS commit time before which, records to keep.
-- Commit times never fall in a showtime, so the newest one to forget is found by halving.
local function trim(keys, args)
  local head = head_of(keys[1])
  local found = snapshots_of(keys[3])
  if #found < 2 then return kDone end
  local before_ms, keep = tonumber(args[1]), tonumber(args[2])
  local low, high = head.oldest, math.min(found[2][2], head.rev - keep)
  local last = nil
  while low <= high do
    local middle = math.floor((low + high) / 2)
    local entry = entry_at(keys[2], middle)
    if not entry then damaged('a record is missing') end
    if tonumber(field(entry, 't')) < before_ms then
      last, low = entry, middle + 1
    else
      high = middle - 1
    end
  end
  if last then
    redis.call('HSET', keys[1], 'oldest', text_of(low), 'base', field(last, 'c'))
    redis.call('XTRIM', keys[2], 'MINID', '=', id_of(low))
  end
  return kDone
end

-- Moves the wake times of those that are still due. KEYS wake. ARGS now, lease, then ids with the
-- wake times that they had. Answers {kDone, ids with wake times of those that are the caller's}.
local function claim(keys, args)
  local time = redis.call('TIME')
  local now = math.min(tonumber(args[1]), tonumber(time[1]) * 1000 + math.floor(time[2] / 1000))
  local claimed = {}
  for i = 3, #args, 2 do
    local wake_ms = read('ZSCORE', keys[1], args[i])
    if wake_ms and tonumber(wake_ms) == tonumber(args[i + 1]) and tonumber(wake_ms) <= now then
      redis.call('ZADD', keys[1], text_of(now + tonumber(args[2])), args[i])
      claimed[#claimed + 1] = args[i]
      claimed[#claimed + 1] = args[i + 1]
    end
  end
  return { kDone, claimed }
end

-- Makes a showtime one that never was, whatever is stored. KEYS as append, then snap. ARGS id,
-- channel. The epochs that it had are remembered, so that a late append cannot bring one back.
local function delete(keys, args)
  local head_key, log, wake, changed, counter, ids, snap = unpack(keys)
  local id, channel = unpack(args)
  read('ZSCORE', wake, id)
  read('ZSCORE', changed, id)
  read('ZSCORE', ids, id)
  check_number(counter)
  local head = redis.pcall('HMGET', head_key, 'epoch', 'gone')
  if head.err then head = { false, false } end
  if not head[1] and redis.call('EXISTS', head_key, log, snap) == 0 then return kDone end

  local gone, count = head[1] or '', 1
  for epoch in string.gmatch(head[2] or '', '[^\n]+') do
    count = count + 1
    if count > GONE_MAX then break end
    gone = gone == '' and epoch or gone .. '\n' .. epoch
  end
  redis.call('UNLINK', head_key, log, snap)
  if gone ~= '' then redis.call('HSET', head_key, 'gone', gone) end
  redis.call('ZREM', wake, id)
  redis.call('ZREM', ids, id)
  note_change(changed, counter, channel, id, '0')
  return kDone
end

-- A look at the marker. KEYS installation. Answers {seconds, microseconds, id or '', layout, counter,
-- whether a restore is under way}: the store's time first.
local function look(keys)
  local time = redis.call('TIME')
  local marker = redis.call('HMGET', keys[1], 'id', 'layout', 'counter', 'restoring')
  return { time[1], time[2], marker[1] or '', marker[2] or '0', tonumber(marker[3] or '0'),
           marker[4] and 1 or 0 }
end

-- The same with a write, for WAIT to wait for. ARGS 'if_changed' or '', the id and the counter that
-- the caller has confirmed. With 'if_changed', which waits for no replica, it writes only if an
-- append went in since: a pipeline whose appends were all too late costs no fsync. A counter below a
-- confirmed one is left as it is: raising it would hide that something was lost. Servers of version
-- 2 name no id and no counter.
local function barrier(keys, args)
  local seen = look(keys)
  if seen[3] == '' then return seen end
  if seen[3] == args[2] and seen[5] < tonumber(args[3]) then return seen end
  local prefix = prefix_of(keys[1])
  if args[1] == 'if_changed' and not changed_since_barrier[prefix] then return seen end
  changed_since_barrier[prefix] = nil
  seen[5] = redis.call('HINCRBY', keys[1], 'counter', 1)
  return seen
end

-- Writes the marker unless there is one, or a restore is under way. KEYS installation. ARGS id,
-- layout.
local function install(keys, args)
  if redis.call('HMGET', keys[1], 'restoring')[1] then return kConflict end
  if redis.call('EXISTS', keys[1]) == 1 then return kConflict end
  redis.call('HSET', keys[1], 'id', args[1], 'layout', args[2], 'counter', '0')
  return kDone
end

-- Runs every command that the servers send or the functions run and that a function may run, to see
-- whether the caller may. KEYS a hash, a stream, a sorted set, a number: nobody else's, gone again at
-- the end. ARGS channels. An error names the command and, if it is one, the channel.
local function rights(keys, args)
  local hash, stream, set, number = unpack(keys)
  local refused = nil
  local function try(command, ...)
    local answer = redis.pcall(command, ...)
    if refused or type(answer) ~= 'table' or not answer.err then return end
    local channel = command == 'PUBLISH' and ' to the channel ' .. select(1, ...) or ''
    refused = command .. channel .. ': ' .. answer.err
  end
  try('TIME')
  try('UNLINK', hash, stream, set, number)
  try('HSET', hash, 'id', '1', 'counter', '0')
  try('HINCRBY', hash, 'counter', 1)
  try('HMGET', hash, 'id')
  try('HGET', hash, 'id')
  try('HGETALL', hash)
  try('HDEL', hash, 'id')
  try('XADD', stream, '1-0', 'b', '')
  try('XRANGE', stream, '-', '+')
  try('XREVRANGE', stream, '+', '-')
  try('XTRIM', stream, 'MINID', '=', '2-0')
  try('ZADD', set, 0, 'id')
  try('ZSCORE', set, 'id')
  try('ZRANGEBYSCORE', set, '-inf', '+inf')
  try('ZRANGEBYLEX', set, '-', '+')
  try('ZREM', set, 'id')
  try('INCR', number)
  try('GET', number)
  try('EXISTS', number)
  for _, channel in ipairs(args) do try('PUBLISH', channel, '') end
  try('UNLINK', hash, stream, set, number)
  if refused then return redis.error_reply('RIGHTS ' .. refused) end
  return kDone
end

local function version() return VERSION end

-- What takes seats out of the free ones stops where memory ends; all else goes on as long as it can.
local function register(name, body, flags)
  redis.register_function({ function_name = 'seatlock1_' .. name, callback = guarded(body),
                            flags = flags })
end
register('append', append, { 'allow-oom' })
register('append_if_room', append, {})
register('snapshot', snapshot, { 'allow-oom' })  -- without new snapshots nothing could be trimmed
register('trim', trim, { 'allow-oom' })
register('claim', claim, { 'allow-oom' })
register('delete', delete, { 'allow-oom' })
register('barrier', barrier, { 'allow-oom' })
register('install', install, {})
register('rights', rights, { 'allow-oom' })
register('look', look, { 'no-writes' })
register('page', page, { 'no-writes' })
register('load', load, { 'no-writes' })
register('version', version, { 'no-writes' })
