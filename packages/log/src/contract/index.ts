export { claim, happened, testTopic, unit } from './fixture.ts'
export { describeLogContract, type LogUnderTest } from './log-contract.ts'
export { type Random, randomOf, testSeed } from './random.ts'
