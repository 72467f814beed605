export { apiInfo } from './api/api-info.ts'
export { type ClientRate, type ClientRates, defaultClientRates } from './client-limits.ts'
export { createGateway } from './gateway.ts'
export { defaultGatewayLimits, type GatewayLimits, type GatewayOptions } from './gateway-options.ts'
