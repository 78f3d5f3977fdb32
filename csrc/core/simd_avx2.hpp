#pragma once

#include <cstdint>

#include "core/simd.hpp"

namespace edgeval::pixels::avx2 {

void yuv_row(const ColorFactors& factors, const std::uint8_t* y, const std::uint8_t* u,
             const std::uint8_t* v, int width, Row out);
void widen(const std::uint8_t* in, int bit_depth, int width, bool quarter,
           std::int16_t* out);
void mixed_row(const PlaceColor& color, const std::uint8_t* luma, int bit_depth,
               const ChromaRows& chroma, int width, Row out);
void split(const std::uint8_t* rgb, int width, Row out);
void join(Row row, int width, std::uint8_t* rgb);
HorizontalPack pack(const Axis& axis);
void horizontal(const HorizontalPack& pack, Row in, Row out);
void vertical(const std::uint8_t* const* rows, const Window& window, int width,
              std::uint8_t* out);
void normalise_f32(const std::uint8_t* in, int width, float mean, float std,
                   float* out);
void normalise_f16(const std::uint8_t* in, int width, float mean, float std,
                   std::uint16_t* out);

}  // namespace edgeval::pixels::avx2
