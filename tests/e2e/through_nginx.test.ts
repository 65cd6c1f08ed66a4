// The same flows with nginx in front, as deploy/nginx has it: the page finds the edge on its own
// host.
import { defineOriginFlows } from './support/flows.js';

defineOriginFlows('nginx', { nginx: true });
