export { suggestions, supply } from './supply-topic.ts'
