using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Cli;

/// <summary>What the process says to scripts and to monitors that run it.</summary>
public static class ExitCode
{
    public const int Intact = 0;
    public const int Damaged = 1;
    public const int Usage = 2;
    public const int CouldNotVerify = 3;

    public static int Of(CheckResult result) => result switch
    {
        CheckResult.Valid => Intact,
        CheckResult.Invalid => Damaged,
        _ => CouldNotVerify,
    };
}
