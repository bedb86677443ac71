#include "core/tensor/shape.h"
int main() { return nibble::to_string(nibble::Shape{}).empty(); }
