namespace Ome.Agent.Staging;

/// <summary>Tells from one listing after the other whether somebody still writes into a local model's directory.</summary>
internal sealed class LocalRest(TimeProvider time)
{
    /// <summary>Files this old were not written by somebody who still writes; so long must a writer that was seen be silent.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(5);

    /// <summary>The same for files that break their own format, as half of a file does.</summary>
    private static readonly TimeSpan LongQuiet = TimeSpan.FromSeconds(30);

    private LocalListing? _last;
    private bool _compared;
    private long _since;

    /// <summary>The file that was seen to change last; null while none was.</summary>
    public string? Changed { get; private set; }

    /// <summary>True when the listing differs from the one before.</summary>
    public bool See(LocalListing listing)
    {
        var changed = _last is { } before ? listing.ChangeSince(before) : null;
        if (_last is null || changed is not null) _since = time.GetTimestamp();
        _compared = _last is not null;
        Changed = changed ?? Changed;
        _last = listing;
        return changed is not null;
    }

    /// <summary>
    /// Whether what was listed last may be taken. Where no writer was seen, the files' own times count; they say nothing of a writer that was, and nothing
    /// when they lie in the future.
    /// </summary>
    public bool IsSettled(bool sound)
    {
        var rest = time.GetElapsedTime(_since);
        var age = time.GetUtcNow() - DateTimeOffset.UnixEpoch.AddTicks(_last!.NewestNs / TimeSpan.NanosecondsPerTick);
        if (Changed is null && age > rest) rest = age;
        return rest >= (sound ? Quiet : LongQuiet) || (sound && Changed is null && _compared);
    }
}
