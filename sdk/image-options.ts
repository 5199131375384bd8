import type { Policy } from './match/index.js';
import type { PipelineOptions } from './pipeline/index.js';

/** What the policy asks of an image; what the integrator sets goes before. */
export function imageOptions(
  { perceptual: { pdq_frames: frames, pdq_dihedral: dihedral } }: Policy,
  own: PipelineOptions['image'],
): NonNullable<PipelineOptions['image']> {
  return { ...(frames !== undefined && { frames }), ...(dihedral !== undefined && { dihedral }), ...own };
}
