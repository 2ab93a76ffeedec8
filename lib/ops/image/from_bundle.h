// The bundle's root file systems as images of this state.
#pragma once

#include <string>

#include "ops/common/context.h"

namespace banger::ops {

// The image that a name stands for, found without changing anything: one of the
// state, or a variant of the bundle that is imported when it is first used (its id
// is empty then, and only name, source and packages are set). Throws as image_for
// does.
struct ImageSource {
  Image image;
  std::string root; // the file with its root file system
};
ImageSource find_image_source(Reader& in, const std::string& name);

// The image called `name` (or with that id); empty: vm.image of the settings, else the bundle's
// default variant. If the name is that of a variant of the bundle and no image of the state has its
// content yet, it is imported: copied or cloned, its sha256 checked. An image of that name made
// from an earlier bundle keeps its VMs and gets the name NAME-ID4. Two at once import once.
// Throws Error(not_found), Error(preflight) when there is no bundle, or Error(conflict) when an
// image that was made of something else has the name of a variant.
Image image_for(Context& ctx, const std::string& name);

// Throws Error(conflict) where `name` is that of a variant of the bundle in use: an image of
// something else would be taken for it.
void refuse_variant(Reader& in, const std::string& name);

// The variant of the bundle that an image was imported from, by its name then.
std::string variant_of(const Image& image);

} // namespace banger::ops
