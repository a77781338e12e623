using System.Diagnostics;
using System.Security.Cryptography;

namespace Ome.Agent.Verification.Reading;

/// <summary>What this machine's cores can digest; measured once, in about 5 ms.</summary>
/// <param name="Sha256PerCore">Bytes a second of SHA-256 on one core.</param>
/// <param name="Cores">Cores that affinity and the cgroup's quota allow.</param>
public sealed record Calibration(long Sha256PerCore, int Cores)
{
    /// <summary>What a fast disk delivers, bytes a second: more readers than it needs only take cores from others.</summary>
    private const long FastDisk = 8L << 30;

    /// <summary>Below this a core has no SHA instructions: about 0.4 GiB/s without, 1.5 with.</summary>
    private const long WithoutShaInstructions = 700L << 20;

    /// <summary>Four even on one core, so that the disk has two requests and more while one or two threads hash; alone it takes two to keep it busy.</summary>
    private const int FewestWorkers = 4;

    /// <summary>How many <see cref="Workers"/> there are where the allowed cores alone decide; null where the rate must be measured.</summary>
    public static int? WorkersUnmeasured => Environment.ProcessorCount <= FewestWorkers ? FewestWorkers : null;

    /// <summary>Readers that keep a fast disk busy on the allowed cores.</summary>
    public int Workers => (int)Math.Clamp((FastDisk + Sha256PerCore - 1) / Sha256PerCore, FewestWorkers, Math.Max(FewestWorkers, Cores));

    /// <summary>False where SHA-256 runs in plain code: three to four times the CPU per byte.</summary>
    public bool HasShaInstructions => Sha256PerCore > WithoutShaInstructions;

    /// <summary>Measures and says so.</summary>
    public static Calibration Measure(ILogger logger)
    {
        var data = new byte[64 << 10];
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        _ = SHA256.HashData(data, digest);
        var clock = Stopwatch.StartNew();
        var bytes = 0L;
        var best = 0.0;
        while (clock.Elapsed < TimeSpan.FromMilliseconds(5))
        {
            // The best single block counts: others share this machine.
            var start = clock.Elapsed;
            _ = SHA256.HashData(data, digest);
            best = Math.Max(best, data.Length / (clock.Elapsed - start).TotalSeconds);
            bytes += data.Length;
        }

        var measured = new Calibration((long)Math.Max(best, bytes / clock.Elapsed.TotalSeconds), Environment.ProcessorCount);
        EngineLog.Calibrated(logger, measured.Sha256PerCore >> 20, measured.Cores, measured.Workers);
        if (!measured.HasShaInstructions) EngineLog.SlowSha256(logger, measured.Sha256PerCore >> 20);
        return measured;
    }
}
