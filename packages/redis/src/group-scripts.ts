import { Script } from './script.ts'

/** The scripts of a group store; tests give others. */
export interface GroupScripts {
  readonly lease: Script
  readonly commit: Script
  readonly confirm: Script
  readonly markDue: Script
  readonly forwarded: Script
  readonly rule: Script
  readonly effectsRule: Script
  readonly mend: Script
  readonly audit: Script
  readonly shadow: Script
  readonly withheld: Script
  readonly stateDrop: Script
  readonly migrate: Script
  readonly freeze: Script
  readonly switch: Script
  readonly drop: Script
}

export const groupScripts: GroupScripts = {
  lease: new Script('lease.lua'),
  commit: new Script('commit.lua'),
  confirm: new Script('confirm.lua'),
  markDue: new Script('mark-due.lua'),
  forwarded: new Script('forwarded.lua'),
  rule: new Script('rule.lua'),
  effectsRule: new Script('effects-rule.lua'),
  mend: new Script('mend.lua'),
  audit: new Script('audit.lua'),
  shadow: new Script('shadow.lua'),
  withheld: new Script('withheld.lua'),
  stateDrop: new Script('state-drop.lua'),
  migrate: new Script('migrate.lua'),
  freeze: new Script('generation-freeze.lua'),
  switch: new Script('generation-switch.lua'),
  drop: new Script('generation-drop.lua'),
}
