using KubeOps.Abstractions.Rbac;
using Ome.Shared.Domain;

namespace Ome.Shared.Api;

// The rights of both programs, least first: each class below becomes one ClusterRole or Role of config/rbac, by `make manifests`.
// GenericRbac only: EntityRbac would add update of the status subresource, of Nodes too.

/// <summary>Service accounts and roles of config/rbac.</summary>
public static class RightsNames
{
    /// <summary>Service account of the operator.</summary>
    public const string Operator = "ome-operator";

    /// <summary>Service account of the agent, as OME's chart names it (contract 8.4).</summary>
    public const string Agent = "ome-model-agent";

    /// <summary>The opt-in Role that lets agents read the Secrets of one namespace.</summary>
    public const string AgentSecrets = "ome-model-agent-secrets";
}

/// <summary>What the operator may do in the whole cluster.</summary>
[GenericRbac(Groups = [""], Resources = ["nodes"], Verbs = RbacVerb.Get | RbacVerb.List | RbacVerb.Watch)]
[GenericRbac(Groups = [""], Resources = ["events"], Verbs = RbacVerb.Get | RbacVerb.Create | RbacVerb.Update | RbacVerb.Patch)]
[GenericRbac(
    Groups = [OmeNames.Group],
    Resources = [BaseModel.Plural, ClusterBaseModel.Plural],
    Verbs = RbacVerb.Get | RbacVerb.List | RbacVerb.Watch | RbacVerb.Update | RbacVerb.Patch)]
[GenericRbac(
    Groups = [OmeNames.Group],
    Resources = [BaseModel.Plural + "/status", ClusterBaseModel.Plural + "/status"],
    Verbs = RbacVerb.Get | RbacVerb.Update | RbacVerb.Patch)]
[GenericRbac(Groups = [OmeNames.Group], Resources = [BaseModel.Plural + "/finalizers", ClusterBaseModel.Plural + "/finalizers"], Verbs = RbacVerb.Update)]
[GenericRbac(
    Groups = [OmeNames.Group], Resources = [ModelIntegrityCheck.Plural], Verbs = RbacVerb.Get | RbacVerb.List | RbacVerb.Watch | RbacVerb.Delete)]
public static class OperatorClusterRights;

/// <summary>What the operator may do in its own namespace: node reports, which it never creates, and its lease.</summary>
[GenericRbac(
    Groups = [""],
    Resources = ["configmaps"],
    Verbs = RbacVerb.Get | RbacVerb.List | RbacVerb.Watch | RbacVerb.Update | RbacVerb.Patch | RbacVerb.Delete)]
[GenericRbac(Groups = ["coordination.k8s.io"], Resources = ["leases"], Verbs = RbacVerb.Get | RbacVerb.Create | RbacVerb.Update | RbacVerb.Patch)]
public static class OperatorNamespaceRights;

/// <summary>What the agent may do in the whole cluster. config/policy narrows the writes to its own node.</summary>
[GenericRbac(Groups = [""], Resources = ["nodes"], Verbs = RbacVerb.Get | RbacVerb.List | RbacVerb.Watch | RbacVerb.Patch)]
[GenericRbac(Groups = [""], Resources = ["nodes/status"], Verbs = RbacVerb.Patch)]
[GenericRbac(Groups = [""], Resources = ["events"], Verbs = RbacVerb.Get | RbacVerb.Create | RbacVerb.Update | RbacVerb.Patch)]
[GenericRbac(Groups = [OmeNames.Group], Resources = [BaseModel.Plural, ClusterBaseModel.Plural], Verbs = RbacVerb.Get | RbacVerb.List | RbacVerb.Watch)]
[GenericRbac(Groups = [OmeNames.Group], Resources = [ModelIntegrityCheck.Plural], Verbs = RbacVerb.AllExplicit)]
[GenericRbac(Groups = [OmeNames.Group], Resources = [ModelIntegrityCheck.Plural + "/status"], Verbs = RbacVerb.Get | RbacVerb.Update | RbacVerb.Patch)]
public static class AgentClusterRights;

/// <summary>What the agent may do in the namespace of the node reports.</summary>
[GenericRbac(
    Groups = [""],
    Resources = ["configmaps"],
    Verbs = RbacVerb.Get | RbacVerb.List | RbacVerb.Watch | RbacVerb.Create | RbacVerb.Update | RbacVerb.Patch)]
public static class AgentNamespaceRights;

/// <summary>What the agent may do in a namespace whose Secrets hold credentials of models; applied by hand, per namespace.</summary>
[GenericRbac(Groups = [""], Resources = ["secrets"], Verbs = RbacVerb.Get)]
public static class AgentSecretRights;
