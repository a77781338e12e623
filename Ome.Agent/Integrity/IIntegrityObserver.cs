using Ome.Agent.Verification;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Integrity;

/// <summary>Told of every check and what followed: metrics. Must not block or throw.</summary>
public interface IIntegrityObserver
{
    void Checked(ModelKey key, ModelSpec spec, CheckReport report);

    void Unverifiable(ModelKey key, ModelSpec spec, FindingReason reason);

    void Withdrawn(ModelKey key, string reason);

    void Readmitted(ModelKey key);

    /// <summary>Whether damage of a model that would withdraw it is held by the brake.</summary>
    void Held(ModelKey key, bool held);

    /// <summary>A repair ended: <c>repaired</c>, <c>restaged</c>, <c>failed</c> or <c>impossible</c>.</summary>
    void Repaired(ModelKey key, string result);

    /// <summary>Events of the kernel were lost.</summary>
    void EventsLost();

    /// <summary>As many models changed and were not looked at since.</summary>
    void Suspects(int models);

    /// <summary>Whether the kernel tells of changes below the model's directory; null when nobody wants to know any more.</summary>
    void Watched(ModelKey key, bool? isWatched);

    /// <summary>The model is gone: its series go with it.</summary>
    void Forget(ModelKey key);
}
