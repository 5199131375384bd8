/** The signed member directory, made by the operator. */
export {
  type BuiltDirectory,
  buildFirstDirectory,
  buildNextDirectory,
  type DirectoryChange,
  type DirectorySignerPlan,
  type FirstDirectoryPlan,
  type MemberPlan,
} from './build.js';
