/** What gateways ask of the files of workflows. Their bytes do not pass through the graph. */
import type { Scope } from '../../../platform/scope.js';
import type { Bundles } from './bundle.js';
import { workflowNotFound } from './workflow.access.js';
import type { BundleFile } from './workflow.model.js';
import type { WorkflowService } from './workflow.service.js';

export interface FilesOf {
  workflowId: string;
  version: number;
  files: BundleFile[];
}

export interface WorkflowFiles {
  list(reference: string, version: number | null, scope: Scope): Promise<FilesOf>;
  /** One file of that version, by its hash. */
  read(reference: string, version: number, sha256: string, scope: Scope): Promise<Buffer>;
}

/** Both ask who the caller is anew: an address of bytes is no right to them. */
export function workflowFiles(workflows: WorkflowService, bundles: Bundles): WorkflowFiles {
  return {
    async list(reference, version, scope) {
      const open = await workflows.open(scope, reference, version);
      return { workflowId: open.workflow._id, version: open.version.version, files: open.version.files };
    },
    async read(reference, version, sha256, scope) {
      const open = await workflows.open(scope, reference, version);
      if (!open.version.files.some((file) => file.sha256 === sha256)) throw workflowNotFound();
      return bundles.read(open.workflow._id, sha256);
    },
  };
}
