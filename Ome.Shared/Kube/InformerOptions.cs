using System.Runtime.CompilerServices;

namespace Ome.Shared.Kube;

/// <summary>What an <see cref="Informer{T, TItem}"/> watches, and its patience.</summary>
public sealed record InformerOptions
{
    /// <summary>The one namespace to watch; null watches the whole cluster (and needs cluster-wide rights).</summary>
    public string? Namespace { get; init; }

    /// <summary>Label selector, evaluated by the server; null selects everything.</summary>
    public string? LabelSelector { get; init; }

    /// <summary>Field selector, evaluated by the server, for instance <c>metadata.name=node-1</c>.</summary>
    public string? FieldSelector { get; init; }

    /// <summary>Objects per list page, 1 to 5000. Only one page is in memory at a time, so large objects want small pages.</summary>
    public int PageSize { get; init; } = 500;

    /// <summary>Most bytes of one page or one event; more is refused as an error. Default 256 MiB.</summary>
    public int MaxReplyBytes { get; init; } = 256 << 20;

    /// <summary>How long one list page, or the start of a watch, may take; 1 s to 10 min.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>After how long the server is asked to end a watch; 10 s to 1 h. Up to half is added at random.</summary>
    public TimeSpan WatchTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// A watch that delivers nothing, not even a bookmark, for so long is taken for dead; 1 s to 1 h. Servers send bookmarks about once a
    /// minute, also when nothing happens; kube-apiserver 1.36 the first one after up to two.
    /// </summary>
    public TimeSpan SilenceLimit { get; init; } = TimeSpan.FromSeconds(150);

    /// <summary>Delay bound after the first failure; 1 ms to 1 min.</summary>
    public TimeSpan BackoffFirst { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Delay bound after many failures; 1 ms to 10 min.</summary>
    public TimeSpan BackoffCap { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Seed of the jitter; give each process its own, for instance a hash of the node name.</summary>
    public int JitterSeed { get; init; }

    /// <summary>Throws <see cref="ArgumentOutOfRangeException"/> with the property, its value and the allowed range.</summary>
    public void Validate()
    {
        Within(PageSize, 1, 5000);
        Within(MaxReplyBytes, 1 << 10, 1 << 30);
        Within(RequestTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
        Within(WatchTimeout, TimeSpan.FromSeconds(10), TimeSpan.FromHours(1));
        Within(SilenceLimit, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        Within(BackoffFirst, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(1));
        Within(BackoffCap, BackoffFirst, TimeSpan.FromMinutes(10));
    }

    private static void Within<TValue>(TValue value, TValue low, TValue high, [CallerArgumentExpression(nameof(value))] string? name = null)
        where TValue : IComparable<TValue>
    {
        if (value.CompareTo(low) >= 0 && value.CompareTo(high) <= 0) return;
        throw new ArgumentOutOfRangeException(name, value, $"{nameof(InformerOptions)}.{name} is {value}; it must be between {low} and {high}.");
    }
}
