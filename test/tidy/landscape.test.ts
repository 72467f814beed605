import { groupsNamed, knownTopics } from '../../apps/cli/src/log-system.ts'
import { serviceGroups, serviceTopics } from '../../apps/all-in-one/src/landscape.ts'
import { expect, test } from 'vitest'

const named = (groups: typeof serviceGroups) => groups.map(({ topic, group }) => `${topic.name} ${group}`)

test('the command line knows the topics and the groups that the services have', () => {
  expect(knownTopics).toEqual(serviceTopics)
  expect(named(groupsNamed(undefined, undefined)).toSorted()).toEqual(named(serviceGroups).toSorted())
})
