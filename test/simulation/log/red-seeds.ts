type Named<T> = Readonly<Record<'append' | 'creates' | 'fence', Readonly<Record<string, T>>>>

/** A seed that is red without the guard, by script and guard; the first seed where none is named: where to look first. */
export const redSeeds: Named<number> = {
  append: {
    'kept ids': 2,
    'type of owners': 2,
    keyring: 2,
    'claim of another': 2,
    'partial repeat': 2,
    fingerprint: 5,
    'ids within the call': 3,
    'stale incarnation': 3,
    'clock going back': 5,
    'old ids': 6,
    'entries within the call': 12,
    'type of claims': 42,
    'owners within the call': 89,
  },
  creates: {
    'type of claims-meta': 2,
    'live version': 2,
    'claim of another': 2,
    'claim by a holder': 2,
    'key that has begun': 2,
    'kept ids': 2,
    gate: 3,
    'keys within the call': 11,
    'claims within the call': 19,
    'counted entries': 27,
    'refused entry': 31,
  },
  fence: {
    'later fence': 21,
  },
}

/** Guards that none of these processes meets: the guard tests beside the scripts prove them. The list only shrinks. */
export const provedElsewhere: Named<string> = {
  append: {
    'unchanged has an event': 'whoever holds a claim has an event, as long as nobody removes indexes',
  },
  creates: {
    'type of meta':
      'met by the first entry of a partition alone: without one the log and its meta do not fit anyway',
    'clock going back':
      'without it Redis refuses the entry, and append.lua, which the creates are left to, does it right',
    'ids within the call': 'of two with one id the later one is left because its key is taken, too',
    'present ids': 'nobody sends under the id of an event without claims a key that begins with one',
    'old ids': 'nobody sends under the id of an event without claims a key that begins with one',
  },
  fence: {},
}
