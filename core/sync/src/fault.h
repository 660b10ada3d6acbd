// Classic faults, planted on purpose in the test-only twin of this library, to see that the simulation finds them.
//
// In every other build DX_PLANTED is the constant false and nothing of it is left.
#pragma once

#if defined(DX_FAULTS)
namespace diaryx::sync {
/// The fault that is planted now; 0 is none. Set by tests/simulation/faults_test.cpp.
inline int planted_fault = 0;
}  // namespace diaryx::sync
#define DX_PLANTED(number) (::diaryx::sync::planted_fault == (number))
#else
#define DX_PLANTED(number) false
#endif
