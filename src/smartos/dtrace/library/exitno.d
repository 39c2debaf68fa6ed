/* Why a processor left its guest: VMX's basic exit reasons by number, under the port's names, and strexitno[] to name one.
 * The port has these in its tools; they are read here when a program asks for them. */
inline int EXIT_REASON_EXCEPTION_NMI = 0;
inline int EXIT_REASON_EXTERNAL_INTERRUPT = 1;
inline int EXIT_REASON_TRIPLE_FAULT = 2;
inline int EXIT_REASON_PENDING_INTERRUPT = 7;
inline int EXIT_REASON_NMI_WINDOW = 8;
inline int EXIT_REASON_TASK_SWITCH = 9;
inline int EXIT_REASON_CPUID = 10;
inline int EXIT_REASON_HLT = 12;
inline int EXIT_REASON_INVLPG = 14;
inline int EXIT_REASON_RDPMC = 15;
inline int EXIT_REASON_RDTSC = 16;
inline int EXIT_REASON_VMCALL = 18;
inline int EXIT_REASON_VMCLEAR = 19;
inline int EXIT_REASON_VMLAUNCH = 20;
inline int EXIT_REASON_VMPTRLD = 21;
inline int EXIT_REASON_VMPTRST = 22;
inline int EXIT_REASON_VMREAD = 23;
inline int EXIT_REASON_VMRESUME = 24;
inline int EXIT_REASON_VMWRITE = 25;
inline int EXIT_REASON_VMOFF = 26;
inline int EXIT_REASON_VMON = 27;
inline int EXIT_REASON_CR_ACCESS = 28;
inline int EXIT_REASON_DR_ACCESS = 29;
inline int EXIT_REASON_IO_INSTRUCTION = 30;
inline int EXIT_REASON_MSR_READ = 31;
inline int EXIT_REASON_MSR_WRITE = 32;
inline int EXIT_REASON_MWAIT_INSTRUCTION = 36;
inline int EXIT_REASON_MONITOR_INSTRUCTION = 39;
inline int EXIT_REASON_PAUSE_INSTRUCTION = 40;
inline int EXIT_REASON_MCE_DURING_VMENTRY = 41;
inline int EXIT_REASON_TPR_BELOW_THRESHOLD = 43;
inline int EXIT_REASON_APIC_ACCESS = 44;
inline int EXIT_REASON_EPT_VIOLATION = 48;
inline int EXIT_REASON_EPT_MISCONFIG = 49;
inline int EXIT_REASON_WBINVD = 54;

inline string strexitno[int32_t reason] =
    reason == 0 ? "EXIT_REASON_EXCEPTION_NMI" :
    reason == 1 ? "EXIT_REASON_EXTERNAL_INTERRUPT" :
    reason == 2 ? "EXIT_REASON_TRIPLE_FAULT" :
    reason == 7 ? "EXIT_REASON_PENDING_INTERRUPT" :
    reason == 8 ? "EXIT_REASON_NMI_WINDOW" :
    reason == 9 ? "EXIT_REASON_TASK_SWITCH" :
    reason == 10 ? "EXIT_REASON_CPUID" :
    reason == 12 ? "EXIT_REASON_HLT" :
    reason == 14 ? "EXIT_REASON_INVLPG" :
    reason == 15 ? "EXIT_REASON_RDPMC" :
    reason == 16 ? "EXIT_REASON_RDTSC" :
    reason == 18 ? "EXIT_REASON_VMCALL" :
    reason == 19 ? "EXIT_REASON_VMCLEAR" :
    reason == 20 ? "EXIT_REASON_VMLAUNCH" :
    reason == 21 ? "EXIT_REASON_VMPTRLD" :
    reason == 22 ? "EXIT_REASON_VMPTRST" :
    reason == 23 ? "EXIT_REASON_VMREAD" :
    reason == 24 ? "EXIT_REASON_VMRESUME" :
    reason == 25 ? "EXIT_REASON_VMWRITE" :
    reason == 26 ? "EXIT_REASON_VMOFF" :
    reason == 27 ? "EXIT_REASON_VMON" :
    reason == 28 ? "EXIT_REASON_CR_ACCESS" :
    reason == 29 ? "EXIT_REASON_DR_ACCESS" :
    reason == 30 ? "EXIT_REASON_IO_INSTRUCTION" :
    reason == 31 ? "EXIT_REASON_MSR_READ" :
    reason == 32 ? "EXIT_REASON_MSR_WRITE" :
    reason == 36 ? "EXIT_REASON_MWAIT_INSTRUCTION" :
    reason == 39 ? "EXIT_REASON_MONITOR_INSTRUCTION" :
    reason == 40 ? "EXIT_REASON_PAUSE_INSTRUCTION" :
    reason == 41 ? "EXIT_REASON_MCE_DURING_VMENTRY" :
    reason == 43 ? "EXIT_REASON_TPR_BELOW_THRESHOLD" :
    reason == 44 ? "EXIT_REASON_APIC_ACCESS" :
    reason == 48 ? "EXIT_REASON_EPT_VIOLATION" :
    reason == 49 ? "EXIT_REASON_EPT_MISCONFIG" :
    reason == 54 ? "EXIT_REASON_WBINVD" :
    "<unknown>";
