namespace Ome.Shared.Domain.Verification;

/// <summary>Where one node stands with a model, for the brake.</summary>
public enum FleetState
{
    /// <summary>It advertises the model.</summary>
    Ready,

    /// <summary>It found damage and asks whether it may withdraw.</summary>
    Claiming,

    /// <summary>It no longer advertises the model.</summary>
    Withdrawn,
}

/// <summary>One node that holds a model.</summary>
/// <param name="Node">Its name.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Since">Since when, by its own clock.</param>
public readonly record struct FleetNode(string Node, FleetState State, DateTimeOffset Since);

/// <summary>Whether a node may withdraw a model now.</summary>
/// <param name="IsHeld">It may not.</param>
/// <param name="Withdrawn">Nodes that lost the model within the window, or ask to.</param>
/// <param name="Most">As many may.</param>
/// <param name="Again">When asking again makes sense; zero unless held.</param>
public readonly record struct BrakeRuling(bool IsHeld, int Withdrawn, int Most, TimeSpan Again)
{
    /// <summary>Nothing stands in the way.</summary>
    public static BrakeRuling Free { get; } = new(false, 0, int.MaxValue, TimeSpan.Zero);
}

/// <summary>
/// How much readiness of a model may vanish at once before we stop and shout: a wrong manifest, a shared file system somebody touched, or a flaw of ours
/// must not empty a fleet. Whoever wants to withdraw claims first and counts then; the claims of others count like withdrawals. So of two that ask at the
/// same moment at least one sees the other, and the limit is never passed; both may be held, and ask again.
/// </summary>
public static class WithdrawalBrake
{
    /// <summary>A claim is made, counted and answered within seconds; one that is older was left behind by an agent that went away.</summary>
    public static readonly TimeSpan ClaimLife = TimeSpan.FromMinutes(1);

    /// <summary>How soon a node that is held by claims asks again at the earliest.</summary>
    public static readonly TimeSpan ClaimRetry = TimeSpan.FromSeconds(2);

    /// <summary>Judges for one node, which counts as one more withdrawal whatever the fleet says of it.</summary>
    public static BrakeRuling Judge(WithdrawalLimit limit, TimeSpan window, string self, IEnumerable<FleetNode> fleet, DateTimeOffset now)
    {
        if (limit.IsOff) return BrakeRuling.Free;
        var (had, gone, claims) = (1, 0, 0);
        var first = DateTimeOffset.MaxValue;
        foreach (var (node, state, since) in fleet)
        {
            if (node == self) continue;
            // Who lost it before the window neither had it then nor loses it now.
            if (state == FleetState.Withdrawn && now - since >= window) continue;
            had++;
            if (state == FleetState.Claiming && now - since < ClaimLife) claims++;
            if (state != FleetState.Withdrawn) continue;
            gone++;
            if (since < first) first = since;
        }

        var most = limit.Most(had);
        if (gone + claims + 1 <= most) return new BrakeRuling(false, gone + claims, most, TimeSpan.Zero);
        return new BrakeRuling(true, gone + claims, most, claims > 0 ? ClaimRetry : first + window - now);
    }
}
