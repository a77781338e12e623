using System.Runtime.InteropServices;
using Ome.Agent.Verification.Reading;

namespace Ome.Agent.Hosting;

/// <summary>
/// Gives back what start and hashing left behind: an agent that does next to nothing for days collects no garbage, and what it once needed would stay resident
/// for as long. A collection takes some tens of milliseconds; it comes while no file is read, ever less often, and only after something was allocated.
/// </summary>
public sealed partial class MemoryTrim(ReadEngine engine, TimeProvider time) : BackgroundService
{
    private const long Worthwhile = 8 << 20;

    private static readonly TimeSpan First = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            var allocated = 0L;
            for (var pause = First; ; pause = pause * 2 < Longest ? pause * 2 : Longest)
            {
                await Task.Delay(pause, time, stoppingToken);
                if (engine.Threads > 0 || GC.GetTotalAllocatedBytes() - allocated < Worthwhile) continue;
                Trim();
                allocated = GC.GetTotalAllocatedBytes();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private static void Trim()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        try
        {
            _ = malloc_trim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // Only glibc has it.
        }
    }

    [LibraryImport("libc")]
    private static partial int malloc_trim(nuint keep);
}
