DELETE FROM host_object WHERE place = 'user';
DELETE FROM net_place WHERE name = 'user';
INSERT INTO net_place (name, dir, subnet)
  SELECT 'user', json_extract(value, '$.dir'), json_extract(value, '$.subnet')
  FROM fact WHERE key = 'net' AND json_valid(value) AND json_extract(value, '$.dir') <> '';
INSERT INTO host_object (kind, name, vm, place, identity, made)
  SELECT 'bridge', 'bng-' || tag, '', 'user', '', json_extract(value, '$.net_id') <> 0
  FROM fact, identity WHERE key = 'net' AND EXISTS (SELECT 1 FROM net_place WHERE name = 'user');
INSERT INTO host_object (kind, name, vm, place, identity, made)
  SELECT 'table', 'banger_' || tag, '', 'user', coalesce(json_extract(value, '$.guard'), 0),
         json_extract(value, '$.net_id') <> 0
  FROM fact, identity WHERE key = 'net' AND EXISTS (SELECT 1 FROM net_place WHERE name = 'user');
INSERT INTO host_object (kind, name, vm, place, identity, made)
  SELECT 'netns', 'user', '', 'user', json_extract(value, '$.net_id'),
         json_extract(value, '$.net_id') <> 0
  FROM fact WHERE key = 'net' AND EXISTS (SELECT 1 FROM net_place WHERE name = 'user');
INSERT INTO host_object (kind, name, vm, place, identity, made)
  SELECT who.key, 'user', '', 'user',
         CASE json_extract(who.value, '$.pid') WHEN 0 THEN '' ELSE
           json_extract(who.value, '$.pid') || ' ' || json_extract(who.value, '$.start_time') ||
           ' ' || json_extract(who.value, '$.boot_id') END,
         coalesce(json_extract(fact.value, '$.' || who.key || '_ready'), 1)
  FROM fact, json_each(fact.value) who
  WHERE fact.key = 'net' AND who.key IN ('holder', 'slirp')
    AND EXISTS (SELECT 1 FROM net_place WHERE name = 'user');
INSERT INTO host_object (kind, name, vm, place, identity, made)
  SELECT 'tap', 'bng' || tag || '-up', '', 'user', '',
         coalesce(json_extract(value, '$.slirp_ready'), 1)
  FROM fact, identity WHERE key = 'net' AND EXISTS (SELECT 1 FROM net_place WHERE name = 'user');
INSERT INTO host_object (kind, name, vm, place, identity, made)
  SELECT 'tap', 'bng' || tag || '-' || tap.value, tap.key, 'user', '', 0
  FROM fact, identity, json_each(fact.value, '$.taps') tap
  WHERE fact.key = 'net' AND EXISTS (SELECT 1 FROM net_place WHERE name = 'user');
