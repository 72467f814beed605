/**
 * Runs in a thread of a service process and ends that process some time after its supervisor is gone. Its main thread
 * stops by itself when the channel to the supervisor closes, but not while it hangs in a loop.
 */
import { workerData } from 'node:worker_threads'

const { parent, graceMs } = workerData as { readonly parent: number; readonly graceMs: number }

const timer = setInterval(() => {
  if (process.ppid === parent) return
  clearInterval(timer)
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), graceMs)
}, 500)
