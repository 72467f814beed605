export { claim, happened, testTopic, unit } from './fixture.ts'
export { describeLogContract, type LogUnderTest } from './log-contract.ts'
