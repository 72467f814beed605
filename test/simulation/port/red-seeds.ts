/**
 * A seed that is red without the guard, by script and guard; the first seed where none is named. Only a place to look
 * first: where it is red no more, because a simulation or a script has changed, the test looks for another one and
 * says which.
 */
export const redSeeds: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  lease: {
    'start of a record that has begun': 4,
    'lease token': 27,
  },
  commit: {
    'counted entries': 31,
    'type of story': 9,
    'repeated commit': 11,
    'type of parked': 2,
    'type of parked-due': 2,
    'mark set anew': 5,
    'line moves back': 8,
    'type of parked with a longer line': 2,
    'longer line moves back': 8,
    'type of deferred-heads': 17,
    'letter written twice': 2,
    'type of dead-index': 7,
    'type of journal': 17,
    'type of effects-pending': 8,
    'type of migrations': 13,
    'withheld and open': 7,
    'withheld before': 28,
    'type of withheld-order': 7,
    'type of channels': 2,
    'type of the key index': 24,
    'channel in step': 2,
    'type of meta': 2,
    'clock going back': 34,
    'type of story-times': 3,
    'commit token': 5,
    'commit number': 5,
    forgotten: 8,
    'type of parked-heads': 2,
    'head moves back': 8,
    'number of a head': 2,
    'unpark before the line is empty': 24,
    'type of deferred': 8,
    'type of dead': 2,
    'index of a letter written twice': 2,
    'answered mark': 2,
    'type of rulings': 106,
    'effects within the call': 13,
    'withheld and settled': 7,
    'withheld and recorded at once': 7,
    'withheld within the call': 56,
    'foreign incarnation': 21,
    'foreign end': 8,
    'type of states': 2,
  },
  confirm: {
    'type of story-times': 6,
    'type of effects': 6,
    'type of effects-pending': 6,
    'type of effects-dead': 8,
    'type of effects-passed': 94,
    turn: 5,
    'told if made': 5,
    'type of story': 6,
    'confirming token': 17,
    'type of effects-settled': 6,
    'type of effects-parked': 6,
    'type of the index of dead effects': 8,
    'type of effects-requeued': 6,
    'repeated turn': 5,
  },
  rule: {
    'late already': 140,
    'type of story': 3,
    'type of dead-index': 21,
    'beyond the line': 19,
    'same ruling': 9,
    'dry run': 7,
    'type of story-times': 3,
    'type of requeued': 7,
    'of the key': 28,
    'letter of the key': 5,
    force: 7,
  },
  effectsRule: {
    'dry run': 140,
    'type of story-times': 27,
    'type of effects-settled': 6,
    'type of effects-passed': 27,
    'turn that was seen': 6,
    'not dead': 6,
  },
  withheld: {
    'type of effects': 290,
    'type of effects-pending': 10,
    'type of withheld-order': 28,
    'named twice': 28,
    'type of the group': 28,
    'type of effects-requeued': 52,
    'settled already': 77,
  },
  stateDrop: {
    'token of a drop': 30,
    'dropped before': 30,
    'type of timers': 30,
    'type of migrations': 290,
    'type of repairs': 30,
  },
  shadow: { 'keys by name': 10 },
}

/**
 * Guards that no member or operator of these simulations meets, by script: the guard tests beside the scripts prove
 * them. The list only shrinks.
 */
export const provedElsewhere: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  rule: {
    'deferred is not in line':
      'a key of these members defers only what stands before its head: rule-guards.test.ts has one behind it',
    'repeated repair':
      'what is repeated here is answered by what has become of the event, too: rule-guards.test.ts',
  },
  effectsRule: {
    'repeated repair':
      'what is repeated here is answered by where the effect stands, too: effects-rule-guards.test.ts',
    force: 'seldom is an effect carried out while one of its key is dead: effects-rule-guards.test.ts',
  },
  withheld: {
    'open already': 'seldom is an effect withheld and recorded again: shadow-guards.test.ts',
  },
  migrate: {
    'key with a record':
      'only a key that was dropped with its history has a record and no entry, and it is seldom read before its next event: shadow-guards.test.ts',
  },
}
