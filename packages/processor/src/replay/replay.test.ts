import { memoryUnderTest } from '../testing/memory-under-test.ts'
import { describeReplayContract } from './contract/replay-contract.ts'

describeReplayContract('memory', memoryUnderTest)
