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
    'line moves back': 16,
    'type of parked with a longer line': 2,
    'longer line moves back': 9,
    'type of deferred-heads': 11,
    'letter written twice': 2,
    'type of dead-index': 7,
    'open effects': 7,
    'type of effects-pending': 8,
    'type of migrations': 3,
    'withheld and open': 7,
    'withheld before': 28,
    'type of channels': 2,
    'type of the key index': 13,
    'channel in step': 2,
    'type of meta': 2,
    'clock going back': 34,
    'type of story-times': 3,
    'commit token': 5,
    backwards: 3,
    forgotten: 8,
    'type of parked-heads': 2,
    'head moves back': 8,
    'number of a head': 2,
    'unpark before the line is empty': 24,
    'longer line of a parked key': 3,
    'type of deferred': 3,
    'type of dead': 2,
    'index of a letter written twice': 2,
    'answered mark': 2,
    'type of timers': 8,
    'timer as it is set': 2,
    'settled effects': 6,
    'effects within the call': 13,
    'withheld and settled': 14,
    'withheld and recorded at once': 7,
    'foreign incarnation': 8,
    'foreign end': 8,
  },
  confirm: {
    'type of story-times': 9,
    'type of effects': 6,
    'type of effects-pending': 6,
    'type of effects-dead': 9,
    'told if made': 5,
    'type of story': 17,
    'confirming token': 14,
    'type of effects-settled': 6,
    'type of effects-parked': 6,
    'type of the index of dead effects': 34,
    'type of effects-requeued': 5,
    'repeated turn': 9,
  },
  rule: {
    'type of story': 3,
    'type of dead-index': 21,
    'type of story-times': 3,
    'type of requeued': 27,
    'repeated repair': 5,
    'letter of the key': 5,
    'neither parked nor dead': 5,
    'head that was seen': 3,
    force: 5,
  },
}

/**
 * Guards that no member or operator of these simulations meets, by script: the guard tests beside the scripts prove
 * them. The list only shrinks.
 */
export const provedElsewhere: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  rule: {
    'deferred is not in line':
      'a key of these members defers only what stands before its head: rule-guards.test.ts has one behind it',
  },
}
