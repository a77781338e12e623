using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Ome.Shared.Domain.Verification;

/// <summary>How many nodes may lose a model within a window: a number, a share of those that had it, or both; then the smaller counts.</summary>
/// <param name="Nodes">Most nodes; null for no such limit.</param>
/// <param name="Percent">Most of the nodes that had it, in percent, and at least one; null for no such limit.</param>
public sealed record WithdrawalLimit(int? Nodes, int? Percent)
{
    /// <summary>What a flag may say.</summary>
    public const string Expected = "a number of nodes such as 2, a share such as 10%, both as 2,10%, or none";

    private const string Nothing = "none";

    /// <summary>Nothing is ever held.</summary>
    public static WithdrawalLimit None { get; } = new(null, null);

    public bool IsOff => Nodes is null && Percent is null;

    /// <summary>Most nodes that may be withdrawn within a window, of so many that had the model at its beginning.</summary>
    public int Most(int nodes) => Math.Min(Nodes ?? int.MaxValue, Percent is { } percent ? Math.Max(1, (int)((long)nodes * percent / 100)) : int.MaxValue);

    public static bool TryParse(string text, [NotNullWhen(true)] out WithdrawalLimit? limit)
    {
        limit = text.Trim() is "" or "0" or Nothing ? None : null;
        if (limit is not null) return true;
        int? nodes = null, percent = null;
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var isShare = part.EndsWith('%');
            if (!int.TryParse(isShare ? part[..^1] : part, NumberStyles.None, CultureInfo.InvariantCulture, out var value) || value == 0) return false;
            if (isShare ? percent is not null || value > 100 : nodes is not null) return false;
            if (isShare) percent = value;
            else nodes = value;
        }

        limit = new WithdrawalLimit(nodes, percent);
        return true;
    }

    public override string ToString() => (Nodes, Percent) switch
    {
        (null, null) => Nothing,
        ({ } nodes, null) => nodes.ToString(CultureInfo.InvariantCulture),
        (null, { } percent) => string.Create(CultureInfo.InvariantCulture, $"{percent}%"),
        ({ } nodes, { } percent) => string.Create(CultureInfo.InvariantCulture, $"{nodes},{percent}%"),
    };
}
