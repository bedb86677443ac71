// A BPE model's merges as lists, for files that store them so.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/text/bpe_merge.h"
#include "core/text/vocabulary.h"

namespace nibble::text {

// "left right", in order of rank.
std::vector<std::string> merges_of(const MergeTable& table, const Vocabulary& vocabulary);
// The same of a model that merges each pair whose texts together are a token, by that token's rank
// (kNoRank: never): all pairs of tokens that make one.
std::vector<std::string> merges_of_ranks(std::span<const uint32_t> ranks,
                                         const Vocabulary& vocabulary);
// Of each of n tokens the lowest rank of a merge that makes it; kNoRank: none does.
std::vector<uint32_t> ranks_of(const MergeTable& table, size_t n);

// Scores as ranks that fall: the order of floats, turned round.
uint32_t rank_of_score(float score);
float score_of_rank(uint32_t rank);

}  // namespace nibble::text
