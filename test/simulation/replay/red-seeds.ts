/** As in `port/red-seeds.ts`: where to look first for a seed that is red without the guard. */
export const redSeeds: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  switch: {
    'switched before': 7,
    'live token': 6,
    'live number': 3,
    'building token': 6,
    'building number': 14,
    'equal positions': 18,
    'equal ahead': 7,
    'type of new states': 14,
    'type of new timers': 14,
    'type of live journal': 43,
  },
  drop: { 'generation at work': 2 },
}

/** Guards that no replay of these simulations meets, by script: the guard tests beside the scripts prove them. */
export const provedElsewhere: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  switch: {
    'firings of its own': 'no seed sets 10,000 timers: generation-guards.test.ts writes as many',
  },
}
