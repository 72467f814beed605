export { systemTimers, type Timers } from '@millrace/event'
