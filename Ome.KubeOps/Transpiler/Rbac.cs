using System.Reflection;
using k8s.Models;
using KubeOps.Abstractions.Rbac;

namespace KubeOps.Transpiler;

/// <summary>Makes policy rules from RBAC attributes, sorted by group and resource.</summary>
public static class Rbac
{
    private static readonly RbacVerb[] Explicit =
        [RbacVerb.Get, RbacVerb.List, RbacVerb.Watch, RbacVerb.Create, RbacVerb.Update, RbacVerb.Patch, RbacVerb.Delete];

    /// <summary>
    /// Generic rules one by one; kinds of one group with the same verbs share a rule; a kind with a status gets a rule for it.
    /// Several attributes for one kind add up. Attributes other than ours are passed over.
    /// </summary>
    public static IEnumerable<V1PolicyRule> Transpile(this MetadataLoadContext context, IEnumerable<CustomAttributeData> attributes)
    {
        var all = attributes.ToList();
        var entities = all
            .Where(data => AttributeReading.Is(data.AttributeType, typeof(EntityRbacAttribute)))
            .SelectMany(data => data.List(0).Cast<Type>().Select(type => (Type: context.GetContextType(type), Verbs: Verbs(data))))
            .GroupBy(entity => entity.Type, entity => entity.Verbs)
            .Select(entity => (Type: entity.Key, Names: Entities.ToEntityMetadata(entity.Key).Metadata, Verbs: entity.Aggregate((one, other) => one | other)))
            .ToList();
        var generic = all.Where(data => AttributeReading.Is(data.AttributeType, typeof(GenericRbacAttribute))).Select(Generic);
        var kinds = entities.GroupBy(entity => (entity.Names.Group, entity.Verbs)).Select(group => new V1PolicyRule
        {
            ApiGroups = [group.Key.Group ?? string.Empty],
            Resources = [.. group.Select(entity => entity.Names.PluralName).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            Verbs = Words(group.Key.Verbs),
        });
        var statuses = entities.Where(entity => entity.Type.GetProperty("Status") is not null).Select(entity => new V1PolicyRule
        {
            ApiGroups = [entity.Names.Group ?? string.Empty],
            Resources = [entity.Names.PluralName + "/status"],
            Verbs = Words(RbacVerb.Get | RbacVerb.Patch | RbacVerb.Update),
        });
        return generic.Concat(kinds).Concat(statuses)
            .OrderBy(rule => rule.ApiGroups?.FirstOrDefault() ?? string.Empty, StringComparer.Ordinal)
            .ThenBy(rule => rule.Resources?.FirstOrDefault() ?? rule.NonResourceURLs?.FirstOrDefault() ?? string.Empty, StringComparer.Ordinal);
    }

    private static V1PolicyRule Generic(CustomAttributeData data) => new()
    {
        ApiGroups = [.. data.NamedList(nameof(GenericRbacAttribute.Groups)).Cast<string>()],
        Resources = [.. data.NamedList(nameof(GenericRbacAttribute.Resources)).Cast<string>()],
        NonResourceURLs = [.. data.NamedList(nameof(GenericRbacAttribute.Urls)).Cast<string>()],
        Verbs = Words(Verbs(data)),
    };

    private static RbacVerb Verbs(CustomAttributeData data) => data.Named("Verbs") is int verbs ? (RbacVerb)verbs : RbacVerb.None;

    private static string[] Words(RbacVerb verbs)
    {
        if (verbs.HasFlag(RbacVerb.All)) return ["*"];
        var named = verbs.HasFlag(RbacVerb.AllExplicit) ? Explicit : Explicit.Where(verb => verbs.HasFlag(verb));
        return [.. named.Select(verb => verb.ToString().ToLowerInvariant())];
    }
}
