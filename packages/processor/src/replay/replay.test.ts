import { memoryUnderTest } from '../engine/contract/memory-under-test.ts'
import { describeReplayContract } from './contract/replay-contract.ts'

describeReplayContract('memory', memoryUnderTest)
