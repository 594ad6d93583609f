/** What gateways ask of the files of workflows and templates. Their bytes do not pass through the graph. */
import type { Scope } from '../../../platform/scope.js';
import type { Bundles } from './bundle.js';
import { workflowNotFound } from './workflow.access.js';
import type { BundleFile } from './workflow.model.js';
import type { WorkflowService } from './workflow.service.js';

export const HOLDERS = ['workflow', 'template'] as const;
export type Holder = (typeof HOLDERS)[number];

export interface FilesOf {
  /** What holds them. */
  holder: Holder;
  id: string;
  version: number;
  files: BundleFile[];
  /** How the holder is to be named, where it was named by a handle that was given up. */
  movedTo: string | null;
}

export interface BundleFiles {
  list(reference: string, version: number | null, scope: Scope): Promise<FilesOf>;
  /** One file of that version, by its hash. */
  read(reference: string, version: number, sha256: string, scope: Scope): Promise<Buffer>;
}

/** Both ask who the caller is anew: an address of bytes is no right to them. */
export function workflowFiles(workflows: WorkflowService, bundles: Bundles): BundleFiles {
  return {
    async list(reference, version, scope) {
      const open = await workflows.open(scope, reference, version);
      const { version: opened, workflow } = open;
      return { holder: 'workflow', id: workflow._id, version: opened.version, files: opened.files, movedTo: null };
    },
    async read(reference, version, sha256, scope) {
      const open = await workflows.open(scope, reference, version);
      if (!open.version.files.some((file) => file.sha256 === sha256)) throw workflowNotFound();
      return bundles.read(open.workflow._id, sha256);
    },
  };
}
