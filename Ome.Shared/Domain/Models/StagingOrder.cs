using System.Globalization;

namespace Ome.Shared.Domain.Models;

/// <summary>A staging that waits for its turn.</summary>
/// <param name="Priority">The model's, larger first.</param>
/// <param name="Arrival">Place in the order of arrival.</param>
public readonly record struct WaitingStaging(int Priority, long Arrival);

/// <summary>Which of the waiting stagings is next. Removals are no part of it: they wait for nobody.</summary>
public static class StagingOrder
{
    /// <summary>Largest priority; the least is its negative.</summary>
    public const int MostPriority = 1000;

    /// <summary>Reads an annotated priority; false when it is none, and then what is used instead: the nearest, or 0.</summary>
    public static bool TryReadPriority(string? text, out int priority)
    {
        var isNumber = int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value);
        priority = Math.Clamp(value, -MostPriority, MostPriority);
        return text is null || (isNumber && priority == value);
    }

    /// <summary>Of the most urgent the one that waits longest.</summary>
    /// <returns>Its index; -1 when nobody waits.</returns>
    public static int Next(IReadOnlyList<WaitingStaging> waiting)
    {
        var next = -1;
        for (var i = 0; i < waiting.Count; i++)
        {
            if (next < 0 || (waiting[i].Priority, -waiting[i].Arrival).CompareTo((waiting[next].Priority, -waiting[next].Arrival)) > 0) next = i;
        }

        return next;
    }
}
